-- A kept container that another process started may have taken the port of its replacement: that one is started once it is stopped again.
ALTER TABLE kept_containers ADD COLUMN blocks TEXT;
