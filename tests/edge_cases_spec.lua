-- The 44 edge cases of the coordinator's contract (Part 8), each with the specs that show it. One
-- of them at least is met at the command line, where a user meets it; those of the parts below tell
-- of more shapes than a command should be started for. A spec that has gone fails here.
local fs = require "core.fs"

local support = require "tests.support"

-- Number and what it is about; below it files below tests/ and words of their specs' names.
local list <const> = [[
 1 every shape of detail, HTML, nothing
   http_spec: reads every shape of detail
   http_spec: reads what proxies say
   cmd/discover_spec: say that it answers HTML, and what the page says
   cmd/discover_spec: give up on 500 after a few tries, and say so
 2 insufficient_miner_stake ends it
   cmd/claim_spec: says at once that the stake is missing
   cmd/loop_spec: stops at once where the stake is missing, with the advice
 3 401 on lists: signed by default, once more otherwise
   coordinator_spec: signs lists of submissions, and public routes when the server wants it
   cmd/discover_spec: sign what the server wants signed, whatever the documents say
 4 a clock that is off
   coordinator_spec: warns once of a clock that is over 30 s off
   practice/faults_spec: clock-ahead the client warns of the clock, once
   cmd/contract_spec: 4: a clock that is off is told before anything is refused for it
 5 base URLs with slashes and prefixes
   coordinator_spec: joins base and path without a double slash, and signs without the prefix
   cmd/contract_spec: 5: a base URL may end in a slash, and signatures do not mind
 6 queries that are signed as sent
   coordinator/calls_spec: filters by what a route knows, in the order that is signed
   http_spec: encodes as the reference client
   cmd/ideas_spec: shows those of others, accepted ones first, and never one's own
 7 floats as Python prints them
   canonical_spec: writes every double of the vectors as Python does
   canonical_spec: refuses to write what has no JSON form
   cmd/submit_spec: with --dry-run prints the exact body and sends nothing
 8 text that is not ASCII
   canonical_spec: reads and writes every case of the vectors
   canonical_spec: refuses half of a surrogate pair, and joins whole ones
   cmd/claim_spec: with --dry-run prints the exact request and sends nothing
 9 an empty object is not nothing
   auth_spec: tells an empty object from no body
   cmd/cancel_spec: with --dry-run prints the request without a body and sends nothing
10 fields that a task lacks
   task_spec: fills what the contract lets a server leave out, and says what it assumed
   cmd/contract_spec: 10: a task may leave out what has a default, and rules says what was assumed
11 modes, statuses and states nobody knows
   cmd/claim_spec: refuse a mode that is not known, which tasks shows, and send nothing
   cmd/discover_spec: show hostile text without letting it through, and modes nobody knows
   rules_spec: stops at tasks that are not live and modes that are not known, without a crash
   track_spec: keeps polling on a status it does not know
12 a task that is paused meanwhile
   claim_spec: refused because the task was paused meanwhile is told so
   mine_spec: does not submit when the task is paused after the claim, and resumes with it
13 slugs that are not live, or stand twice; no tasks
   cmd/claim_spec: refuses what is not live and lists what is
   cmd/discover_spec: do not choose between two tasks of one slug
   cmd/discover_spec: take null for an empty list
14 a claim whose answer is lost
   cmd/claim_spec: finds its claim when the answer is lost
   torture_spec: make nothing twice and lose nothing in 25 runs
15 a submission whose answer is lost
   cmd/submit_spec: finds its submission when the answer is lost
   once_spec: is not sent again while a slow server may still carry it out
   mine_spec: does not take an earlier submission without an answer for its own
   mine_spec: uses the claim of an earlier submission again that never arrived
16 a cancellation that fails
   claim_spec: that cannot be given back is told, and ends nothing
   cmd/cancel_spec: keeps a claim that carries a submission
17 a commit that nobody can fetch
   workspace_spec: refuses a HEAD that validators cannot fetch, and says how to keep the work
   cmd/patch_spec: sends the checkout's patch and HEAD, and refuses local commits
   cmd/agent_spec: refuses what was committed
18 a base ref that moves
   workspace_spec: checks out a branch, a tag or a commit, and records where it stood
   workspace_spec: asks the remote where a branch stands now
   cmd/patch_spec: tells of a branch that moved since the clone
19 content that reads like a path
   cmd/patch_spec: explains the deleted comment, with the patch still shown
20 paths with quotes, ` b/`, a/ and b/
   patch_spec: finds every trap of contract 3.4, with its line
   cmd/contract_spec: 20: names that validators read wrongly stop a patch, each with its reason
21 globs as Python's fnmatch
   fnmatch_spec: agrees with the reference vectors
   fnmatch_spec: knows the traps of a surface
   cmd/contract_spec: 21: `*` crosses slashes, `**/x` is not `x`, and case counts
22 an allowed file that git ignores
   patch_spec: says why there is nothing, unless the artifact is what counts
   cmd/contract_spec: 22: an allowed file that git ignores stays out, and that is told
23 CRLF, no last line feed, binary, links
   patch_spec: holds changed, staged, new and deleted files of the surface, and applies
   patch_spec: stops nothing that validators take
   cmd/contract_spec: 23: CRLF, a missing last line feed and bytes survive the patch
24 the cap, to the byte
   patch_spec: passes exactly at the cap, and not a byte above
   cmd/contract_spec: 24: the cap on a patch is bytes, and holds to the byte
25 empty patches
   modes/standard_spec: has the patch key always, and lets it be empty beside an artifact only
   rules_spec: wants a real patch where the artifact is not what counts
   cmd/contract_spec: 25: an empty patch is enough beside an artifact, and nowhere else
26 URLs that redirect, change, lie
   cmd/publish_spec: is an integrity failure when the URL misbehaves
   mine_spec: publishes again what changed at its URL between two runs
27 hashes and sizes in other forms
   sidecar_spec: trims text, lowers the hash, reads sizes of other tools, and drops what is empty
   cmd/contract_spec: 27: hashes and sizes of other tools are put right, what is no size is refused
28 both size gates, in integers
   rules_spec: judges both budgets in integers: equality passes, one byte more does not
   cmd/submit_spec: is stopped over the budget, with the exact bytes, and sends nothing
29 archives that two readers see differently
   artifact/verify_spec: refuses what is no archive, has two config.json, or lacks its weights
   model/zip_spec: refuses names that do not unpack below one folder
   cmd/contract_spec: 29, 30: two config.json are refused, sizes of 64 bits are read
30 archives over 4 GiB
   model/zip_spec: holds sizes and offsets over 4 GiB that Python, unzip and we read alike
   cmd/contract_spec: 29, 30: two config.json are refused, sizes of 64 bits are read
31 stale and odd results
   bench_spec: takes no result of an earlier run for this one's
   bench/metric_spec: takes the first of the three forms
   cmd/contract_spec: 31: neither an old result nor one of another type is a result
32 a metric that is printed several times
   bench/metric_spec: finds the last mention in a text, as the reference's pattern does
   cmd/contract_spec: 32: of a metric that is printed several times the last one counts
33 commands that overstay, spawn and flood
   bench_spec: has one deadline for both commands and kills what they leave behind
   bench_spec: caps what is printed
   cmd/contract_spec: 33: what overstays is ended with its children
   cmd/agent_spec: ends the whole process group at the deadline
34 a submission that stays pending
   cmd/track_spec: follows a submission: pending
   mine_spec: does not start anew, or change, what may already be sent
35 status error shows the notes
   track_spec: fails with the validator's words when it is
   cmd/contract_spec: 35: what a validator could not replay is told in its words
36 ideas: none, one's own, no list
   cmd/ideas_spec: shows those of others, accepted ones first, and never one's own
   mine_spec: names the idea it builds on, and never its own
   modes/centerless_spec: takes only another miner's idea-bearing submission of this task
   modes/centerless_spec: does not pass when the list is not there
37 peer evaluation of one's own, too late, of another mode
   cmd/peer_evaluate_spec: refuses one's own, what is decided, and tasks of another mode
   practice/peers_spec: keeps to what the mode and the contract refuse
   practice/peers_spec: makes the median of enough verdicts the result, and then is final
38 work items of ours and of others
   cmd/work_items_spec: claims the most wanted once, and comes back to it
   cmd/work_items_spec: does not take what another miner has
   practice/admin_spec: that one miner claims, resumes, gives back and completes
   coordinator/calls_spec: claims work items with an object, also with nothing to say
39 a coordinator that is down for long
   mine_spec: waits out a coordinator that is gone, with its claim and its work
   mine_spec: killed with SIGKILL after every step ends with one claim and one submission
40 key files that cannot or should not be used
   wallet_spec: a public half
   wallet_spec: a file with two mnemonics
   wallet_spec: text that is no key file, without quoting it
   cmd/contract_spec: 40: keys that cannot sign are refused by name, and nothing of them is shown
   bad_input_spec: may be read by the group: a warning, and work goes on
41 no best, snapshots with unknown fields
   cmd/ideas_spec: counts weights, odd scores and names nobody documents
   cmd/discover_spec: best says when there is none
   coordinator/calls_spec: finds the best under whatever name
   coordinator/calls_spec: asks for the service's own records
42 204, null for lists, numbers for ids
   coordinator_spec: takes null, nothing and numbers for ids as servers send them
   cmd/contract_spec: 42: ids may be numbers, and lists may be null
43 a local path as artifact_uri
   modes/standard_spec: refuses addresses that validators cannot take
   cmd/contract_spec: 43: a path of this machine is no artifact_uri
44 integers beyond 2^53
   json_spec: keeps empty arrays and integers beyond 2^53
   canonical_spec: keeps integers to 64 bits and refuses larger ones
   cmd/contract_spec: 44: integers beyond 2^53 come out as they came in
]]

local cases = {}
for line in list:gmatch("[^\n]+") do
  local number, about = line:match("^%s?(%d+) (.*)$")
  local file, words = line:match("^   (%S+): (.*)$")
  if number then cases[math.tointeger(tonumber(number))] = { about = about } end
  if file then table.insert(cases[#cases], { file = file, words = words }) end
end

-- Specs that run the program itself, as a user does.
local function is_of_commands(file)
  return file:find("^cmd/") or file == "mine_spec" or file == "bad_input_spec"
    or file == "torture_spec"
end

local texts = {}

local function text_of(name)
  texts[name] = texts[name] or assert(fs.read(support.root .. "/tests/" .. name .. ".lua"))
  return texts[name]
end

-- Whether a file has a spec whose name holds these words.
local function is_there(name, words)
  for line in text_of(name):gmatch("[^\n]+") do
    if line:find("^%s*it%(") and line:find(words, 1, true) then return true end
  end
  return false
end

describe("the contract's edge cases", function()
  it("are 44", function() assert.equal(44, #cases) end)

  for number, case in ipairs(cases) do
    it(("%d, %s: has a spec"):format(number, case.about), function()
      local met = 0
      for _, spec in ipairs(case) do
        met = met + (is_of_commands(spec.file) and 1 or 0)
        assert.is_true(is_there(spec.file, spec.words),
          ("tests/%s.lua has no '%s'"):format(spec.file, spec.words))
      end
      assert.is_true(met > 0, "no spec of a command")
    end)
  end
end)
