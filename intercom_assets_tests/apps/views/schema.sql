-- An app that shows itself to others through views only: text keys, times without a zone, and
-- tables that nobody outside may read.

create schema legacy;

create table legacy.person (
    person_no       varchar(12) primary key,
    mail            text,
    full_name       text,
    joined          timestamp not null,
    gone            timestamp,
    tier            text not null default 'basic',
    salary          integer,
    modified        timestamp not null
);

create table legacy.account (
    account_no      integer primary key,
    title           text not null,
    turnover        numeric(12, 2) not null default 0,
    modified        timestamp not null
);

create table legacy.seat (
    person_no       varchar(12) not null references legacy.person,
    account_no      integer not null references legacy.account,
    modified        timestamp not null,
    primary key (person_no, account_no)
);

create schema export;

create view export.people as
    select person_no, mail, full_name, joined, gone, tier, modified from legacy.person;
create view export.accounts as
    select account_no, title, turnover, modified from legacy.account;
create view export.seats as
    select person_no, account_no, modified from legacy.seat;
