-- Where an item and a file came from, as W3C's traceparent: what is ordered, and what is brought in, points back at it.
alter table shop_item add column tp text;
alter table import_job add column tp text;
