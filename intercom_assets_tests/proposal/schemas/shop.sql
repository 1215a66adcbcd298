-- A shop: nobody but customers, no team anywhere, and staff who are not whom it is about.
create table customers (id serial primary key, full_name text, email text, phone text, marketing_opt_in boolean, created_on date, updated_at timestamptz);
create table staff (id serial primary key, name text, email text not null, password_hash text not null);
create table orders (id serial primary key, customer_id integer references customers, total_cents integer, placed_at timestamptz);
create table newsletter_subscribers (id serial primary key, email text not null, token text);
insert into customers (full_name, email, created_on, updated_at) values ('Ada Byron', 'ada@shop.example', '2025-01-01', now());
