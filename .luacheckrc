std = "lua54"
max_line_length = 100
files["tests"] = { std = "lua54+busted" }
files["**/*.test.lua"] = { std = "lua54+busted" }
files["lua/new/*_test.lua"] = { std = "lua54+busted" }
files["lua/boot.lua"] = { globals = { "package", "_G" } }
exclude_files = { "build", "docs/meta" }
