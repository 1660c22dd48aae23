---@meta
-- What scripts are, for editors: `---@type bittern.Recipe` above a script's `return {` makes the Lua
-- language server complete and check it. Written by hand; a test holds it against the loader.

---@alias bittern.Arguments table<string, { [1]: string|number|boolean|table, [2]: string, [3]: string[]? }>

--- A recipe: says of each tensor what becomes of it. docs/write-a-recipe.md
---@class bittern.Recipe
---@field api 1
---@field about string one line
---@field args? bittern.Arguments name = { default, "what it is", { words that it may be } }
---@field tensor fun(ctx: bittern.RecipeContext, t: bittern.Tensor): bittern.Choice

--- One tensor of a model, as a recipe sees it.
---@class bittern.Tensor
---@field name string
---@field shape integer[] sizes, outermost first
---@field rank integer how many sizes there are
---@field dtype string "bf16", "f16", "f32", ...
---@field parameters integer elements in all
---@field rows integer? of a matrix: outputs
---@field cols integer? of a matrix: inputs

--- What becomes of a tensor: ctx.keep, ctx.q4, ctx.lowbit and ctx.block give it.
---@class bittern.Choice

--- Options of ctx.lowbit.
---@class bittern.Lowbit
---@field codec "b1"|"t5"|"t2" 1, 1.6 or 2 bits a weight
---@field group? integer|"row" columns that share a scale
---@field scale? "least_squares"|"mean_abs"
---@field bases? integer 1..4 matrices that are added up
---@field offsets? boolean an offset beside each scale
---@field columns? boolean a scale for each column, too
---@field iterations? integer of Lloyd's and other fits
---@field rescue? integer|"budget" rows at q4, or what pays
---@field upgrades? table[] options laid over these, taken when the budget allows
---@field weight? number how much this matrix's relative error counts

--- What a recipe may use beside Lua itself.
---@class bittern.RecipeContext
---@field args table<string, any> the recipe's arguments
---@field bits number|false the budget in bits a parameter
---@field keep fun(options?: { dtype: "bf16"|"f16"|"f32" }): bittern.Choice stored as it is, or as another float
---@field q4 fun(): bittern.Choice four bits, a scale for 128 columns
---@field lowbit fun(options: bittern.Lowbit): bittern.Choice low bits, rows rescued at q4
---@field block fun(options: { codec: string, fit: string? }): bittern.Choice GGUF blocks
---@field match fun(name: string, patterns: string|string[]): boolean whether the name holds one of "a,b*c"
---@field error fun(message: string) gives up with this message and the line

--- A mode: what a submission needs, and who becomes best. docs/write-a-mode.md
---@class bittern.Mode
---@field api 1
---@field about string one line
---@field args? bittern.Arguments
---@field fields bittern.Field[] see bittern.rules.common
---@field rules bittern.Rule[]
---@field accept fun(result: table, best: table?, task: table, args: table): boolean, string?
---@field candidates? fun(submissions: table[], hotkey: string): table[] ideas that one may build on
---@field reward? fun(winner: table, implemented: table?, task: table): table? what an idea earns
---@field peers? { check: fun(evaluation: table, submission: table, world: table): true?, string?, consensus: fun(evaluations: table[], task: table): table? }

--- A field of a submission.
---@class bittern.Field
---@field name string
---@field type "string"|"integer"|"number"|"object"
---@field required? boolean
---@field when? fun(submission: table, task: table, world: table): boolean
---@field about string

--- One demand on a submission.
---@class bittern.Rule
---@field id string
---@field about string
---@field check fun(submission: table, task: table, world: bittern.World): true?, string?

--- What is known when a rule is checked.
---@class bittern.World
---@field hotkey string? the miner's
---@field submissions table[]? the task's, nil when nobody may see them
---@field draft boolean? claim, commit and patch are not there yet

--- A publisher: puts an artifact at a URL.
---@class bittern.Publisher
---@field api 1
---@field about string one line
---@field args? bittern.Arguments also read from BITTERN_<NAME>_<ARGUMENT>
---@field publish fun(ctx: bittern.PublisherContext, artifact: { path: string, size: integer, sha256: string }): string?, string?, string?

--- What a publisher sees.
---@class bittern.PublisherContext
---@field args table<string, any> its arguments
---@field base string the coordinator's URL
---@field env fun(name: string): string?
---@field report bittern.report
---@field sign fun(request: table): table? headers of a signed request
---@field on_progress? fun(done: integer, total: integer)

--- A workflow: steps in order, each recorded and resumed.
---@class bittern.Workflow
---@field api 1
---@field about string one line
---@field args? bittern.Arguments
---@field steps bittern.Step[]

--- A step of a workflow.
---@class bittern.Step
---@field name string
---@field run fun(ctx: bittern.StepContext, state: table<string, table>, before: table?): table?, string?, string?
---@field inputs? fun(ctx: bittern.StepContext, state: table<string, table>): table what its result depends on
---@field always? boolean runs every time
---@field preview? fun(ctx: bittern.StepContext, state: table<string, table>): table?, string? instead of run in a dry run

--- What a step sees.
---@class bittern.StepContext
---@field args table the command's arguments
---@field client table the coordinator's
---@field folder string where its files go
---@field hotkey string SS58 address
---@field ledger table
---@field report bittern.report
---@field settings table what is asked for, as two runs compare it
---@field demands? table the task's rules, once a step has read them
---@field dry_run? boolean

--- A command: `bittern NAME`.
---@class bittern.Command
---@field api 1
---@field about string one line
---@field group "discover"|"model"|"artifact"|"compete"|"self"
---@field args? fun(parser: table) adds arguments to lua-argparse's parser
---@field run fun(ctx: bittern.CommandContext): boolean|integer?, string?, string?

--- What a command sees.
---@class bittern.CommandContext
---@field args table<string, any>
---@field report bittern.report
---@field json boolean
---@field offline boolean
---@field coordinator? string what --coordinator says
---@field env fun(name: string): string?
---@field now fun(): number seconds since 1970
