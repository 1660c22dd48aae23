-- Text in lines of at most so many columns, at least one; a word that is longer stays whole.
-- @param text string
-- @param width of a line, its indent included
-- @param indent of every line
-- @return array of lines
return function(text, width, indent)
  local lines, line = {}, ""
  local room = math.max(1, width - #indent)
  for word in text:gmatch("%S+") do
    local longer = line == "" and word or line .. " " .. word
    if line ~= "" and (utf8.len(longer) or #longer) > room then
      lines[#lines + 1] = indent .. line
      longer = word
    end
    line = longer
  end
  lines[#lines + 1] = indent .. line
  return lines
end
