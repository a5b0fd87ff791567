std = "max"
max_line_length = 125
files["tests"] = {std = "+busted"}
