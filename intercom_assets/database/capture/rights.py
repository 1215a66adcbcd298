"""Whether the triggers can write to the change log, as the catalogue tells, and what they counted.

The triggers never let the app's statement fail, so a log that they cannot write to would go
unnoticed without this. They act with the rights of their functions' owner. Nothing is tried out.
"""

from intercom_assets.database.connections import AppConnection

_OWNERS = """
select distinct r.rolname::text,
    has_schema_privilege(r.oid, n.oid, 'USAGE'),
    has_table_privilege(r.oid, c.oid, 'INSERT'),
    c.relrowsecurity and not (r.rolsuper or r.rolbypassrls) and not (
        pg_has_role(r.oid, c.relowner, 'USAGE') and not c.relforcerowsecurity),
    p.prosecdef
from pg_catalog.pg_proc p
join pg_catalog.pg_roles r on r.oid = p.proowner
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = 'change_log'
where n.nspname = 'intercom_capture'
order by 1
"""
_ALTERED = """
select c.relkind <> 'r'
    or (select count(*) from pg_catalog.pg_attribute a
        where a.attrelid = c.oid and not a.attisdropped
          and (a.attname, a.atttypid) in (
              ('id', 'bigint'::regtype), ('kind', 'text'::regtype), ('keys', 'text[]'::regtype),
              ('via', 'text'::regtype), ('txid', 'xid8'::regtype), ('at', 'timestamptz'::regtype))
    ) <> 6
    or exists (select from pg_catalog.pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attnotnull
          and not a.atthasdef and a.attidentity = '' and a.attname not in ('kind', 'keys'))
    or exists (select from pg_catalog.pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal)
    or exists (select from pg_catalog.pg_rewrite w where w.ev_class = c.oid)
    or exists (select from pg_catalog.pg_constraint k
        where k.conrelid = c.oid and k.contype in ('c', 'f', 'u', 'x'))
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where n.nspname = 'intercom_capture' and c.relname = 'change_log'
"""
_MAY_COUNT = """
select has_schema_privilege(n.oid, 'USAGE') and has_sequence_privilege(c.oid, 'SELECT')
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where n.nspname = 'intercom_capture' and c.relname = 'not_logged' and c.relkind = 'S'
"""
_COUNT = "select case when is_called then last_value else 0 end from intercom_capture.not_logged"


def unwritable(connection: AppConnection) -> tuple[str, ...]:
    """Why the triggers cannot write to the log, each as a sentence without its full stop."""
    reasons = [reason for row in connection.execute(_OWNERS).fetchall() for reason in _lacks(*row)]
    if connection.execute(_ALTERED).fetchone() == (True,):
        reasons.append("the log is not as install-capture made it")
    return tuple(dict.fromkeys(reasons))


def not_logged(connection: AppConnection) -> int:
    """Statements of the app that were not logged; 0 also where this role may not ask."""
    if connection.execute(_MAY_COUNT).fetchone() != (True,):
        return 0
    found = connection.execute(_COUNT).fetchone()
    return int(found[0]) if found else 0


def _lacks(role: str, usage: bool, insert: bool, hidden: bool, definer: bool) -> list[str]:
    lacking = [
        (not definer, "its functions no longer act as their owner"),
        (not usage, f"{role}, who owns its functions, may not use the schema intercom_capture"),
        (not insert, f"{role}, who owns its functions, may not insert into the log"),
        (hidden, f"row security on the log applies to {role}, who owns its functions"),
    ]
    return [sentence for is_lacking, sentence in lacking if is_lacking]
