std = "max"
max_line_length = 125
files["tests"] = {std = "+busted"}
files["library"] = {ignore = {"212", "241"}} -- declarations
