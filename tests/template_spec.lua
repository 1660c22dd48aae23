local template = require "bittern.template"

describe("a template", function()
  it("is filled in, and keeps the rest as it is", function()
    assert.equal("run /w/repo 3 $HOME", template.fill("run {repo} {n} $HOME",
      { repo = "/w/repo", n = 3 }))
    assert.equal("", template.fill("", {}))
  end)

  it("writes a brace for two of them", function()
    assert.equal("awk '{print $1}' /w", template.fill("awk '{{print $1}}' {dir}", { dir = "/w" }))
  end)

  it("does not fill in what a value brings along", function()
    assert.equal("{b}", template.fill("{a}", { a = "{b}", b = "no" }))
  end)

  for text, said in pairs {
    ["{repo_dri}"] = "{repo_dri} is not known; did you mean {repo_dir}?",
    ["{x}"] = "{x} is not known; known are {intro_path}, {repo_dir}",
    ["a { b"] = "a lone '{' at character 3; write it twice",
    ["a } b"] = "a lone '}' at character 3; write it twice",
    ["{repo_dir"] = "a lone '{' at character 1",
    ["{}"] = "a lone '{' at character 1",
  } do
    it("refuses " .. text, function()
      local filled, message, code = template.fill(text, { repo_dir = "/r", intro_path = "/i" })
      assert.same({ nil, "usage" }, { filled, code })
      assert.matches(said, message, 1, true)
    end)
  end
end)
