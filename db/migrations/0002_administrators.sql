-- Administrators see the operators' pages. The version before this one neither asks for the column nor writes it.
alter table app_user add column is_admin boolean not null default false;
-- Whether there is one yet is asked at every start: without this, by reading everybody.
create index app_user_admin on app_user (id) where is_admin;

-- The one link that makes somebody the first administrator; the newest start's, whichever instance that was.
create table owner_link (
  only_one boolean primary key default true check (only_one),
  -- SHA-256 of the link's token: a copy of this table makes nobody administrator.
  token_hash bytea not null,
  expires_at timestamptz not null
);
