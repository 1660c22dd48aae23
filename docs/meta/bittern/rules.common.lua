---@meta bittern.rules.common
-- Generated from lua/rules/common.lua by docs/generate.lua (`make docs`); edit there.

--- What submissions of every mode share: fields and rules, written once. A mode takes what it needs:
---   local common = require "bittern.rules.common"
---   rules = { common.artifact_uri, common.summary, ... }
--- A rule's check gets (submission, task, world) and returns true, or nil and the reason.
---@class bittern.rules.common
local M = {}

--- A field's value; JSON's null counts as absent.
---@param submission table a submission's record, or its fields before it is sent
---@param name string
function M.value(submission, name) end

--- Whether a field holds text that is not blank.
---@param submission table a submission's record, or its fields before it is sent
---@param name string
function M.has_text(submission, name) end

--- Fields of every mode; the schema is {name, type, required, when = function, about}.
M.fields = nil

--- The fields of every mode and a mode's own, in one array.
---@param own table array of fields
function M.with_fields(own) end

--- Whether an http address is this machine's: a rehearsal.
---@param url string
function M.is_local(url) end

--- Whether a validator can take an artifact from this address: absolute https (plain http on loopback only), no credentials, never a local path.
---@param uri string string
---@return boolean? # true, or nil, reason.
function M.check_uri(uri) end

--- The rules that every mode keeps, in the order people read them.
M.rules = nil

--- Those rules and a mode's own, in one array.
---@param own table array of rules
function M.with_rules(own) end

return M
