"""What is made from sources after a checkout: the front end and the compiled translations."""
