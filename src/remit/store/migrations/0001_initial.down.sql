-- Drops everything that version 0001 made; the schema and the version table stay.
do $$
declare
    dropped record;
begin
    for dropped in
        select p.oid::regprocedure as name from pg_proc p
        where p.pronamespace = 'remit'::regnamespace and p.proname not in ('tenant_id', 'refuse_tenantless')
    loop
        execute format('drop function %s cascade', dropped.name);
    end loop;
    for dropped in
        select c.relname as name from pg_class c
        where c.relnamespace = 'remit'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
            and c.relname <> 'schema_versions'
    loop
        execute format('drop table remit.%I cascade', dropped.name);
    end loop;
    for dropped in
        select t.typname as name from pg_type t
        join pg_class c on c.oid = t.typrelid and c.relkind = 'c'
        where t.typnamespace = 'remit'::regnamespace
    loop
        execute format('drop type remit.%I cascade', dropped.name);
    end loop;
    for dropped in
        select t.typname as name from pg_type t where t.typnamespace = 'remit'::regnamespace and t.typtype = 'd'
    loop
        execute format('drop domain remit.%I cascade', dropped.name);
    end loop;
end
$$;
drop function remit.tenant_id();
drop function remit.refuse_tenantless();
revoke usage on schema remit from remit_app, remit_dispatch;
