"""What people and machines read: the failure text, the summary, the list of rows, Allure."""
