"""What jobs, schedules and whatever else launches runs are made of."""
