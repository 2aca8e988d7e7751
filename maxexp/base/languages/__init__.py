"""One way for a text into another language: each module has the rules of one, and is the only place that knows them.

A path, a name or a value of the user's may hold any character. Whoever builds a database URI, a filter string, a
Markdown table, a picture, a command line or a file name puts such a text in through the function of that language.
"""
