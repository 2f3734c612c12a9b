"""ChatKit's own words, as servers of hosts speak them."""
