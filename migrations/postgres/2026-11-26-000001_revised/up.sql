-- What became of an edit after it was answered: few entries among many.
create index log_revised on log (seq) where entry in ('rebased', 'unparked');
