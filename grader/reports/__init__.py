"""What people read of the marks: tables, the class's page, a student's page."""
