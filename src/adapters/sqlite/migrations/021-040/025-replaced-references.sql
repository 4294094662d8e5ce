-- As its container named it: the only tag with which a replaced image may be removed. Null: replaced before this was kept.
ALTER TABLE replaced_images ADD COLUMN reference TEXT;
