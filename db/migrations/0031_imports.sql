-- The room where administrators hear of what the machinery does, and who speaks there.
insert into room (id, kind, name) values ('01900000-0000-7000-8000-000000000002', 1, 'ops') on conflict (id) do nothing;
insert into app_user (id, skeleton, display_name, is_bot)
values ('01900000-0000-7000-8000-0000000000b2', 'bot:desk', 'Charla', true) on conflict do nothing;

-- One file somebody brought, and what became of it.
create table import_job (
  id uuid primary key,                     -- also the id of its report in the room, and the trace of it all
  name text not null,
  place text not null,                     -- where the file waits: a path or a key, as whoever keeps files understands it
  bytes bigint not null,
  state text not null check (state in ('checking', 'ready', 'applying', 'applied', 'cancelled', 'refused')),
  sha256 text,
  kind text,
  version integer,
  channel text,
  language text not null default 'en',
  fault jsonb,
  report jsonb,
  decided_by uuid,
  created_at timestamptz not null default now(),
  applied_at timestamptz,
  -- Whatever is said of it in the room was said about this state.
  told text
);
create index import_job_newest on import_job (created_at desc, id);
-- What is left to do; few at any time.
create index import_job_open on import_job (created_at, id) where state in ('checking', 'applying') or told is distinct from state;
create index import_job_same on import_job (sha256) where sha256 is not null;
create index import_job_applied on import_job (kind, channel, version) where state = 'applied';

-- Apart, since the job's own row is locked while it is worked on.
create unlogged table import_progress (job_id uuid primary key, done bigint not null);
