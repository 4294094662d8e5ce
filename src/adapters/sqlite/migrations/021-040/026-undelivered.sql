-- /health and /metrics count what is not delivered, however many mails and notices were.
CREATE INDEX outbox_undelivered ON outbox (id) WHERE mailed = 1 AND status <> 'sent';
CREATE INDEX channel_deliveries_undelivered ON channel_deliveries (channel, mail_id) WHERE status <> 'sent';
