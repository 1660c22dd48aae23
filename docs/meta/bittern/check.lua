---@meta bittern.check
-- Generated from lua/check.lua by docs/generate.lua (`make docs`); edit there.

--- Checking tables that people wrote: option tables and scripts, with the nearest known key.
---@class bittern.check
local M = {}

--- The candidate nearest to a word.
---@param word string string
---@param candidates table array of strings
---@return string? # string, or nil when none is near enough to be a slip of the hand.
function M.nearest(word, candidates) end

--- What a word may have been meant to be, at the end of a complaint about it.
---@param word string string
---@param candidates table array of strings
---@return string # "; did you mean 'candidate'?", or "" when none is near.
function M.hint(word, candidates) end

--- Keys of a table in order.
---@param t table table
---@return table # array of its keys, ordered as texts.
function M.sorted_keys(t) end

--- Checks a table against a schema.
---@param t any the table
---@param schema? table {key = {type = "string"|"integer"|"number"|"boolean"|"table"|"function"|"any", optional = true}}
---@return boolean? # true, or nil, what is wrong, the key that is.
function M.table(t, schema) end

--- Checks a function's table of named options; raises in the name of its caller.
---@param t? any the options, or nil for none
---@param schema any as bittern.check.table, with `default` for what is absent
---@param what any the function's name, for the message
---@return any # a new table with defaults filled in.
function M.options(t, schema, what) end

--- A converter of the command line's words: whole numbers.
---@param name string of the option, for the message
---@param low number
---@param high number
---@return function? # function(text) -> integer, or nil, message.
---@return string? message
---@return string? code
function M.whole(name, low, high) end

--- A converter of the command line's words: seconds, fractions too.
---@param name string of the option, for the message
---@return function? # function(text) -> number, or nil, message.
---@return string? message
---@return string? code
function M.seconds(name) end

--- A converter of the command line's words: a SHA-256.
---@param name string of the option, for the message
---@return function? # function(text) -> 64 lower-case digits, or nil, message.
---@return string? message
---@return string? code
function M.sha256(name) end

--- A converter of the command line's words: bytes, with k, M or G for thousands, millions, ...
---@param name string of the option, for the message
---@return function? # function(text) -> integer, or nil, message.
---@return string? message
---@return string? code
function M.bytes(name) end

return M
