-- Texts that tokenizers are tested with.

-- Pieces of which texts are put together. U+0085 is left out: for JavaScript it is no white space,
-- for Unicode, and the tokenizers that models were trained with, it is.
local PIECES <const> = { "abc", " ", "  ", "\n", "\t", "\u{E9}\u{E8}", "e\u{301}",
  "a\u{308}\u{304}",
  "\u{4E2D}\u{6587}\u{5B57}\u{7B26}", "\u{65E5}\u{672C}\u{8A9E}\u{306E}", "\u{D55C}\u{AD6D}",
  "\u{1100}\u{1161}\u{11A8}", "\u{1F642}", "\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}",
  "\u{1F1E9}\u{1F1EA}", "def f(x):\n    return x+1\n", "'s", "'LL", "I'm", "don't", "\u{17F}'s",
  "1234567890", "3.14", "\u{663}\u{664}", "\u{A0}", "\u{2003}", "\u{200B}", "...", "!!!",
  "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>", "http://x.y/z?q=1", "\r\n",
  "\u{130}", "\u{DF}", "\u{FB01}", "\u{C5}", "\u{212B}", "\u{3AC}", "\u{3B1}\u{301}",
  "\u{F71}\u{F72}", "\u{939}\u{93F}\u{928}", "\u{E44}\u{E17}\u{E22}", "\u{5E2}\u{5D1}",
  "\u{627}\u{644}", "\u{1F468}\u{1F3FD}", "\0", "\x7F", "CamelCaseWord", "snake_case_word",
  ("A"):rep(40), "    ", ("x"):rep(200) }

--- So many texts: code, scripts, marks, emoji, white space, added tokens; always the same.
return function(count)
  local state, list = 12345, {}
  local function below(n)
    state = (state * 1103515245 + 12345) & 0x7FFFFFFF
    return (state >> 8) % n
  end
  for i = 1, count do
    local parts = {}
    for _ = 0, below(14) do
      parts[#parts + 1] = PIECES[below(#PIECES) + 1] .. (below(3) == 0 and " " or "")
    end
    list[i] = table.concat(parts)
  end
  return list
end
