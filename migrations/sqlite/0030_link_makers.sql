-- Who made a link to choose a password with: a user's address, or `cli`. Of links from before, nobody knows.
ALTER TABLE password_resets ADD COLUMN made_by TEXT;
