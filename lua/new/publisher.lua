-- Publisher NAME: puts an artifact where validators can fetch it by one GET without a redirect.
--   bittern publish artifact.zip --to NAME --set url=https://files.example.org/sn94
-- Bittern fetches the URL afterwards and goes on only if it gives the same bytes.
return {
  api = 1,
  about = "say in a line where it puts things",
  -- { default, "what it is" }; also read from BITTERN_<NAME>_<ARGUMENT>.
  args = { url = { "", "URL below which artifacts appear" } },
  -- artifact has path, size and sha256. Gives the URL, or nil, message, error id.
  publish = function(ctx, artifact)
    if ctx.args.url == "" then return nil, "give --set url=URL", "usage" end
    -- Bring artifact.path there; `command` and `put` in lua/publish show two ways.
    return ctx.args.url .. "/" .. artifact.sha256 .. ".zip"
  end,
}
