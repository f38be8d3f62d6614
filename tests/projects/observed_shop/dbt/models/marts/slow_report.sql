select count(*) as rows from range({{ '1000000000000' if env_var('FAILS', 'nothing') == 'nobody ends it' else '10' }})
