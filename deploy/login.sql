-- psql -v password=… : the login of server and worker. May be run again; then it sets the password.
SELECT 'CREATE ROLE omnidesk_login LOGIN NOINHERIT' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'omnidesk_login') \gexec
ALTER ROLE omnidesk_login PASSWORD :'password';
GRANT omnidesk_app, omnidesk_system TO omnidesk_login;
