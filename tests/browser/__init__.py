"""The course as people meet it: JupyterLab in a real browser, driven by Selenium."""
