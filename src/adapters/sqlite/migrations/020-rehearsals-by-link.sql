-- Who requested a rehearsal: 'link', the holder of a mail's link; NULL: diun-pilot itself, or who has the password.
ALTER TABLE rehearsals ADD COLUMN requested_by TEXT;
