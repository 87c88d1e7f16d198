"""A simulated Shopify shop on the vendor's whole Admin schema."""

from remit_commerce.simulators.shopify.simulator import SHOP_DOMAIN, ShopifySimulator

__all__ = ["SHOP_DOMAIN", "ShopifySimulator"]
