-- Run once by the single-user server of a new cluster. Names in braces are random passwords of URL-safe characters.

alter role remit_admin password '{admin}';

create role remit_owner login noinherit password '{owner}';

create role remit_app login password '{app}';

create role remit_dispatch nologin;

grant remit_dispatch to remit_owner;

create database remit owner remit_owner;

revoke connect, temporary on database remit from public;

grant connect on database remit to remit_app;
