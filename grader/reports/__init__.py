"""What people read: a student's page, the class report and its figures, tables."""
