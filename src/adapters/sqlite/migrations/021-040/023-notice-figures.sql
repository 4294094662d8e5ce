-- What was measured, next to the words about it: of a nearly full disk the free bytes.
ALTER TABLE notices ADD COLUMN figure REAL;
