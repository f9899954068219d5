-- Unread counts what can still be read: this finds the few deleted messages after somebody's read pointer.
create index room_log_deleted on room_log (room_id, seq) where kind = 0 and deleted_at is not null;
-- When somebody last left. A message whose statement began before that and was stored after it asks again for its author's
-- membership (app/chat/room-log/lane.ts), so that nobody's words stand behind their leaving.
alter table room add column left_seq bigint not null default 0;
