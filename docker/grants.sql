-- The user that DMS reads as, and that the demo's script makes its schema with.
GRANT ALL ON *.* TO 'admin'@'%';
