local packed = require "bittern.artifact.packed"
local rows = require "bittern.artifact.rows"
local support = require "tests.support"

describe("bittern.artifact.rows", function()
  it("decodes any rows as the whole matrix has them", function()
    local dir = support.folder() .. "/packed"
    local done = support.bittern(support.folder(), { "compress", support.model, "--budget",
      "binary", "--out", dir, "--quiet" })
    assert.equal(0, done.status, done.stderr)
    local m <close> = assert(require("bittern.model").open(dir))
    local matrices, rescued = assert(packed.describe(m)).matrices, 0
    for name, matrix in pairs(matrices) do
      local whole = assert(packed.matrix(m, name, matrix))
      local height, cols = matrix.shape[1], matrix.shape[2]
      if matrix.rescued > 0 then rescued = rescued + 1 end
      for _, part in ipairs { { 0, height }, { 0, 1 }, { height - 1, 1 }, { 7, 50 },
        { height // 2, height - height // 2 } } do
        local some = assert(rows.read(m, name, matrix, part[1], part[2]))
        assert.is_true(some:text() == whole:view(part[1] * cols, part[2] * cols):text())
      end
    end
    assert.is_true(rescued > 0)
  end)
end)
