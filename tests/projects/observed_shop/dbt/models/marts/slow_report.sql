select count(*) as rows from range({{ '1000000000000' if var('fails') == 'nobody ends it' else '10' }})
