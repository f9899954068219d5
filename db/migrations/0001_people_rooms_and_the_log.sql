-- The keys begin with room_id (or user_id for what belongs to a person), no constraint spans rooms, and there are
-- no sequences or triggers: that is what lets rooms be spread over several databases later.

create table app_user (
  id uuid primary key,
  -- The name as the eye sees it (NFKC, look-alikes folded): two names with one skeleton cannot both exist.
  skeleton text not null unique,
  display_name text not null,
  is_bot boolean not null default false,
  created_at timestamptz not null default now()
);

create table session (
  -- SHA-256 of the cookie's token: a copy of this table opens no session.
  token_hash bytea primary key,
  user_id uuid not null,
  -- 'session' keeps somebody signed in; 'return' lets the same browser come back after leaving.
  purpose text not null check (purpose in ('session', 'return')),
  created_at timestamptz not null default now(),
  expires_at timestamptz not null
);
create index session_by_user on session (user_id);
create index session_by_expiry on session (expires_at);

create table room (
  id uuid primary key,
  kind smallint not null,                  -- 0 public 1 private 2 direct
  name text not null default '',
  topic text not null default '',
  created_at timestamptz not null default now(),
  last_seq bigint not null default 0,      -- newest log entry: the head of everybody's cursor
  last_msg bigint not null default 0       -- how many messages: unread is arithmetic, never a count
);
-- Browsing lists public rooms by name; private and direct ones never.
create index room_public on room (name, id) where kind = 0;

create table room_log (                    -- one append-only ordered log per room
  room_id uuid not null,
  seq bigint not null,
  kind smallint not null,                  -- 0 message 1 edit 2 delete 5 join 6 leave 7 room changed
  msg_no bigint,                           -- running message number, kind 0 only
  target_seq bigint,                       -- message an edit or delete speaks of, or a reply answers
  author_id uuid not null,
  client_key uuid not null,
  body text,
  meta jsonb,
  edited_at timestamptz,
  deleted_at timestamptz,
  created_at timestamptz not null default now(),
  primary key (room_id, seq),
  unique (room_id, author_id, client_key)
);
create index room_log_messages on room_log (room_id, seq desc) where kind = 0;
create unique index room_log_pages on room_log (room_id, msg_no) where kind = 0;
-- Deleting a message also empties its earlier edits; this finds them.
create index room_log_edits on room_log (room_id, target_seq) where kind = 1;

create table member (
  room_id uuid not null,
  user_id uuid not null,
  role smallint not null default 0,        -- 0 member 1 owner
  joined_seq bigint not null default 0,
  read_seq bigint not null default 0,
  read_msg bigint not null default 0,
  delivered_seq bigint not null default 0,
  displayed_seq bigint not null default 0,
  primary key (room_id, user_id)
);

-- A person's room list, keyed by the person.
create table user_room (
  user_id uuid not null,
  room_id uuid not null,
  primary key (user_id, room_id)
);

-- Where everybody meets, and the bot that answers there. The ids are constants in app/contract/fixed.ts.
insert into room (id, kind, name) values ('01900000-0000-7000-8000-000000000001', 0, 'Lobby');
insert into app_user (id, skeleton, display_name, is_bot) values ('01900000-0000-7000-8000-0000000000b0', 'chuck', 'Chuck', true);
