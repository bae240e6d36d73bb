-- People whom an admin looks after: invited, and read-only.

-- 1: an accountant of the vendor, who sees what its users see and changes nothing.
ALTER TABLE users ADD COLUMN read_only BIGINT NOT NULL DEFAULT 0 CHECK (read_only IN (0, 1));
-- Since when an invitation waits for its password; NULL once there is one.
ALTER TABLE users ADD COLUMN invited_us BIGINT;
