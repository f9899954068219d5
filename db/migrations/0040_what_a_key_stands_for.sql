-- The first 64 bits of a hash of what was sent under the row's key: the body may change by an edit, and a key that comes again
-- has to be told from one that is used for another text. Null in rows of the version before this one, and once the words are gone.
alter table room_log add column content bigint;
