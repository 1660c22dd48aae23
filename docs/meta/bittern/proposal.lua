---@meta bittern.proposal
-- Generated from lua/proposal.lua by docs/generate.lua (`make docs`); edit there.

--- What a submission says: only what was measured, and how it was made.
---@class bittern.proposal
local M = {}

--- One sentence for people who look at the submission.
---@param work table {recipe= name, settings=, size=, bits= a parameter, packed= score, dense= score, text= name of the held-out text}
function M.summary(work) end

--- The idea of a recipe, when the miner gives no words of their own.
---@param recipe table {name=, about=}
---@param settings any of the recipe
function M.idea(recipe, settings) end

--- The fields that a mode adds: an idea, and the idea it builds on.
---@param mode any script of the task's mode
---@param options? table {idea=, implements= id or nil, submissions= of the task, hotkey=}
---@return table # {proposed_idea=, implemented_submission_id=}.
function M.mode_fields(mode, options) end

--- The submission that the results so far amount to, without claim and base_ref.
---@param ctx table context of a command or of a workflow's step
---@param state table what the steps before gave: {step's name = result}
---@param submissions? any earlier ones of the task, or nil when the list is closed
function M.submission(ctx, state, submissions) end

--- Our earlier submission of the same bytes that still counts, or nil.
---@param ctx table context of a command or of a workflow's step
---@param submissions table array of records
---@param digest string sha256 of the artifact
function M.twin(ctx, submissions, digest) end

--- A body as the sidecar holds it: without what belongs to the request alone.
---@param body table the fields that are sent
function M.sidecar(body) end

return M
