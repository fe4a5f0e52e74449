drop index log_revised;
