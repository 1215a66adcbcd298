insert into legacy.person (person_no, mail, full_name, joined, gone, tier, salary, modified) values
    ('P-001', 'Ana@Views.example', 'Ana Lima', '2023-01-01 10:00', null, 'gold', 90000, '2024-01-01'),
    ('P-002', 'bo@views.example', null, '2023-02-01 10:00', null, 'basic', 50000, '2024-01-01'),
    ('P-003', 'cy@views.example', 'Cy Tan', '2023-03-01 10:00', '2024-01-01', 'basic', 50000, '2024-01-01');

insert into legacy.account (account_no, title, turnover, modified) values
    (10, 'North', 1200.60, '2024-01-01'),
    (20, 'South', 0, '2024-01-01');

insert into legacy.seat (person_no, account_no, modified) values
    ('P-001', 10, '2024-01-01'),
    ('P-002', 10, '2024-01-01');
