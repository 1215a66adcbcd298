insert into auth_user (id, username, password, email, first_name, last_name, is_active, date_joined, last_login)
values
    ('00000000-0000-4000-8000-000000000001', 'ada', 'pbkdf2$secret', 'ada@django.example', 'Ada', 'Byron', true, '2024-01-02 03:04:05+00', '2025-05-06 07:08:09.5+00'),
    ('00000000-0000-4000-8000-000000000002', 'ben', 'pbkdf2$secret', 'ben@django.example', '', '', true, '2024-02-02 00:00:00+00', null),
    ('00000000-0000-4000-8000-000000000003', 'cleo', 'pbkdf2$secret', 'cleo@django.example', 'Cleo', 'Diaz', true, '2024-03-02 00:00:00+00', null),
    -- No profile: they are made when somebody opens the settings for the first time.
    ('00000000-0000-4000-8000-000000000004', 'dan', 'pbkdf2$secret', 'dan@django.example', 'Dan', 'Ek', true, '2024-04-02 00:00:00+00', null),
    -- Not active: has left, and no contact is made for him.
    ('00000000-0000-4000-8000-000000000005', 'eli', 'pbkdf2$secret', 'eli@django.example', 'Eli', 'Fox', false, '2024-05-02 00:00:00+00', null);

insert into accounts_profile (user_id, phone, timezone, marketing_ok) values
    ('00000000-0000-4000-8000-000000000001', '+442071838750', 'Europe/London', true),
    ('00000000-0000-4000-8000-000000000002', '', '', false),
    ('00000000-0000-4000-8000-000000000003', '', 'Europe/Madrid', false);

insert into auth_group (id, name) values (1, 'Engineers'), (2, 'Writers');

insert into auth_user_groups (user_id, group_id) values
    ('00000000-0000-4000-8000-000000000001', 1),
    ('00000000-0000-4000-8000-000000000002', 1),
    ('00000000-0000-4000-8000-000000000002', 2);

insert into billing.plan (code, label, monthly_price) values ('pro', 'Professional', 49.50), ('solo', 'Solo', 9);

insert into billing.subscription (user_id, plan_code, state, renews_on) values
    ('00000000-0000-4000-8000-000000000001', 'pro', 'active', '2027-01-01'),
    ('00000000-0000-4000-8000-000000000003', 'solo', 'cancelled', null);
