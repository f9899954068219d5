-- The order desk. Its catalogue and carts stand apart from the rooms: the same shop may be kept in DynamoDB instead, so nothing
-- here refers to anything else, and a cart is read and replaced whole.

create table shop_item (
  -- By bytes, as DynamoDB sorts: a page of the catalogue is the same in both.
  id text collate "C" primary key,
  name text not null,
  price bigint,                            -- hundredths of currency
  currency text,
  present boolean not null,
  updated_at timestamptz not null default now()
);
create index shop_item_present on shop_item (id) where present;

create table shop_cart (
  id uuid primary key,
  room_id uuid,
  cart jsonb not null,
  version integer not null,
  -- Of what was asked for: tells apart two orders under one key.
  digest text not null,
  created_at bigint not null,              -- ms since 1970, by the shop's clock
  waiting boolean not null                 -- its newest version was not shown in its room yet
);
create index shop_cart_room on shop_cart (room_id, created_at desc, id desc) where room_id is not null;
create index shop_cart_waiting on shop_cart (created_at, id) where waiting;

create table api_key (
  id uuid primary key,
  -- SHA-256 of the secret, hex: a copy of this table opens nothing.
  secret_hash text not null unique,
  name text not null,
  owner_id uuid not null,
  scopes text[] not null,
  room_id uuid,                            -- the one room it orders for; null: the order names a room, or none
  created_at timestamptz not null default now(),
  revoked_at timestamptz
);

-- Rooms that take orders from the API.
create table order_room (
  room_id uuid primary key,
  linked_by uuid not null,
  linked_at timestamptz not null default now()
);

-- Who shows orders in rooms. Somebody may have the name already; then the bot has a skeleton no name can have.
insert into app_user (id, skeleton, display_name, is_bot)
select '01900000-0000-7000-8000-0000000000b1',
  case when exists (select 1 from app_user where skeleton = 'shoppin') then 'bot:shoppin' else 'shoppin' end, 'Shoppin', true;
