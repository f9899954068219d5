-- The processes that work on this database, each with a sign of life of the last seconds. By the database's clock, since
-- theirs may differ. Not logged: after a crash every one of them writes its row anew.
create unlogged table instance (
  id text primary key,                     -- "<machine>/<pid>"
  version text not null,
  build text not null,
  adapter text not null,                   -- how it hears of the others: memory, workers, redis
  sockets integer not null,
  started_at timestamptz not null,
  seen_at timestamptz not null
);
