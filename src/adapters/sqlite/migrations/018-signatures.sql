-- Whether the new digest is signed as update.verify requires, as JSON; null: nothing is required.
ALTER TABLE updates ADD COLUMN signature TEXT;
