-- As ../sqlite, in this database's words; texts compare by their bytes (COLLATE "C"), as they do there.
-- Whom the marketplace's OpenID Connect provider logs in: a subject of an issuer is one user for good.

CREATE TABLE provider_logins (
    issuer   TEXT COLLATE "C" NOT NULL,
    -- What the provider calls somebody; never given to anybody else (OpenID Connect Core, 8).
    subject  TEXT COLLATE "C" NOT NULL,
    user_id  BIGINT NOT NULL REFERENCES users (id),
    bound_us BIGINT NOT NULL,
    PRIMARY KEY (issuer, subject)
);
-- An account that belongs to one subject is no other's, whatever address that one has.
CREATE UNIQUE INDEX provider_logins_by_user ON provider_logins (issuer, user_id);
