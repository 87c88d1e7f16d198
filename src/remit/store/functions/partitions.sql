-- Partitions of the journal and what is stored with it, by the instant inside the run id.

-- Makes partitions until `until` is covered; returns how many. One maker at a time; months do not overlap or leave gaps,
-- and the first one has no lower bound. Run by its owner because a partition belongs to its parent's owner.
create function remit.make_partitions_v1(until timestamptz) returns integer
language plpgsql security definer set search_path = pg_catalog, remit, pg_temp as $$
declare
    lower_at timestamptz;
    upper_at timestamptz;
    parent text;
    partition_name text;
    made integer := 0;
    horizon_max constant timestamptz := clock_timestamp() + interval '2 years';
begin
    if until > horizon_max then
        raise exception using errcode = 'RM003', message = format('expected an instant before %s, got %s', horizon_max, until);
    end if;
    perform pg_advisory_xact_lock(hashtextextended('remit.make_partitions', 0));
    select max(p.upper_at) into lower_at from remit.run_partitions p;
    while lower_at is null or lower_at <= until loop
        upper_at := date_trunc('month', coalesce(lower_at, clock_timestamp()), 'UTC') + interval '1 month';
        partition_name := case when lower_at is null then 'first' else to_char(lower_at at time zone 'UTC', 'YYYYMM') end;
        foreach parent in array array['journal', 'payloads', 'large_payloads', 'steps'] loop
            execute format('create table remit.%I (like remit.%I including defaults including constraints including storage)',
                parent || '_' || partition_name, parent);
            execute format('alter table remit.%I enable row level security', parent || '_' || partition_name);
            execute format('alter table remit.%I force row level security', parent || '_' || partition_name);
            if parent in ('journal', 'steps') then
                execute format('create trigger untruncated before truncate on remit.%I for each statement execute function remit.refuse_change()',
                    parent || '_' || partition_name);
            end if;
            execute format('alter table remit.%I attach partition remit.%I for values from (%s) to (%L)',
                parent, parent || '_' || partition_name,
                case when lower_at is null then 'minvalue' else quote_literal(remit.run_id_floor(lower_at)) end,
                remit.run_id_floor(upper_at));
        end loop;
        insert into remit.run_partitions (name, lower_at, upper_at)
        values (partition_name, coalesce(lower_at, '-infinity'), upper_at);
        lower_at := upper_at;
        made := made + 1;
    end loop;
    return made;
end
$$;
