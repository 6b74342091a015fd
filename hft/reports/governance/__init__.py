"""What the governance commands show: pages, terminal summaries and notebook cards of one document.

`evidence` holds the numbers of each picture, `document` the whole page as plain data; `pages`,
`summary`, `cards` and `plots` draw the same document and decide nothing.
"""
