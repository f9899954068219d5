-- The room log is the outbox: whoever takes events out of it keeps how far it got in each room, and nothing else is written
-- when a message is posted.
create table relay_pointer (
  room_id uuid not null,
  consumer text not null,
  seq bigint not null default 0,
  primary key (room_id, consumer)
);

-- What a consumer could make nothing of: it went on without. Ids and a reason, no content.
create table relay_aside (
  room_id uuid not null,
  seq bigint not null,
  consumer text not null,
  reason text not null,
  at timestamptz not null default now(),
  primary key (room_id, seq, consumer)
);

-- A room's activity of one day (UTC), as one document: app/contract/activity.ts.
create table activity_day (
  room_id uuid not null,
  day text not null,
  seq bigint not null,
  doc jsonb not null,
  primary key (room_id, day)
);
create index activity_by_day on activity_day (day, room_id);

-- Hints an administrator has looked at.
create table activity_seen (
  room_id uuid not null,
  seq bigint not null,
  reason text not null,
  by_user uuid not null,
  at timestamptz not null default now(),
  primary key (room_id, seq, reason)
);
